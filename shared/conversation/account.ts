import type { Outcome } from "./command.ts";
import { moneyText } from "./measures.ts";
import { menu } from "./menu.ts";
import { askPhone, offer } from "./reply.ts";
import { refused } from "./ride.ts";
import type { Talk, Turn } from "./turn.ts";

/** Wants to know what is in the wallet. */
export function wantWallet(talk: Talk): Turn {
  return talk.person.has_phone ? talk.wait({ name: "wallet" }) : talk.end(askPhone(talk.texts.askPhone));
}

/** The balance and the last movements. */
export function walletTold(talk: Talk, outcome: Outcome): Turn {
  if ("refused" in outcome) return refused(talk, outcome.refused);
  const { wallet, walletEmpty, menuTitle } = talk.texts;
  const { locale } = talk.session;
  const { balance, currency, lines = [] } = outcome;
  const movements = lines.map(({ amount, booked_at }) => {
    const sign = amount.startsWith("-") ? "" : "+";
    return `${booked_at.slice(0, 10)}  ${sign}${moneyText(amount, currency, locale)}`;
  });
  const body = [wallet(moneyText(balance, currency, locale)), "", ...(movements.length ? movements : [walletEmpty])];
  return talk.end(offer(body.join("\n"), [talk.choice(menuTitle, "menu")]));
}

/** Their number is known from now on. */
export function phoneShared(talk: Talk, outcome: Outcome): Turn {
  return "refused" in outcome ? refused(talk, outcome.refused) : menu(talk, talk.texts.phoneShared);
}

/** Where a driver stands, and the switch. */
export function driverMenu(talk: Talk, isOnline: boolean = talk.person.driver?.is_online ?? false): Turn {
  const { notADriver, driverOnline, driverOffline, goOnline, goOffline, tripTitle, menuTitle } = talk.texts;
  if (!talk.person.has_phone) return talk.end(askPhone(talk.texts.askPhone));
  if (!talk.person.driver?.is_approved) return talk.end(offer(notADriver, [talk.choice(menuTitle, "menu")]));
  const toggle = isOnline ? talk.choice(goOffline, "online", "off") : talk.choice(goOnline, "online", "on");
  const body = isOnline ? driverOnline : driverOffline;
  return talk.end(offer(body, [toggle, talk.choice(tripTitle, "trip"), talk.choice(menuTitle, "menu")]));
}

/** A driver has gone on or off the road. */
export function switched(talk: Talk, outcome: Outcome, isOnline: boolean): Turn {
  return "refused" in outcome ? refused(talk, outcome.refused) : driverMenu(talk, isOnline);
}
