import { list, offer, type Row, say } from "./reply.ts";
import { LOCALES } from "./session.ts";
import { LANGUAGE_NAMES, TEXTS } from "./texts/texts.ts";
import type { Talk, Turn } from "./turn.ts";

/** The menu, perhaps under other words than its own. */
export function menu(talk: Talk, body: string = talk.texts.menu.body): Turn {
  return talk.end(list(body, talk.texts.menu.button, menuRows(talk)));
}

function menuRows(talk: Talk): [Row, ...Row[]] {
  const { menu: texts } = talk.texts;
  return [
    talk.choice(texts.ride, "ride"),
    talk.choice(texts.trip, "trip"),
    talk.choice(texts.wallet, "wallet"),
    talk.choice(texts.driver, "driver"),
    { ...talk.choice(texts.language, "languages"), description: Object.values(LANGUAGE_NAMES).join(", ") },
    talk.choice(texts.messages, "messages"),
    talk.choice(texts.help, "help"),
  ];
}

/** What can be done here. */
export function help(talk: Talk): Turn {
  return talk.end(offer(talk.texts.help, [talk.choice(talk.texts.menuTitle, "menu")]));
}

/** Which language? */
export function languages(talk: Talk): Turn {
  const { chooseLanguage, menu: { language } } = talk.texts;
  const [first, ...others] = LOCALES.map((locale) => talk.choice(LANGUAGE_NAMES[locale], "language", locale));
  return talk.end(list(chooseLanguage, language, [first!, ...others]));
}

/** Goes on in that language. */
export function chooseLanguage(talk: Talk, argument: string): Turn {
  const locale = LOCALES.find((known) => known === argument);
  if (!locale) return languages(talk);
  const { languageChosen, menuTitle } = TEXTS[locale];
  const turn = talk.end(offer(languageChosen, [talk.choice(menuTitle, "menu")]));
  return { ...turn, session: { ...turn.session, locale } };
}

/**
 * Which messages shall stop? These ids are consent words (whatsapp_consent_words): whoever taps one has said it, and the
 * ingest keeps it. So they need no version: stop is stop, however old the button.
 */
export function messages(talk: Talk): Turn {
  const { messagesBody, stopPromotions, stopAll, menuTitle } = talk.texts;
  return talk.end(offer(messagesBody, [
    { id: "stop promotions", title: stopPromotions },
    { id: "stop", title: stopAll },
    talk.choice(menuTitle, "menu"),
  ]));
}

/** What somebody has said about our messages, and the ingest has kept. */
export interface Consent {
  scope: "marketing" | "all";
  decision: "stop" | "start";
}

/** Answers a decision about messages; after a stop of all, nothing may be sent, so nothing is said. */
export function consented(talk: Talk, { scope, decision }: Consent): Turn {
  if (decision === "start") return menu(talk, talk.texts.welcomeBack);
  return scope === "all" ? talk.end() : talk.end(say(talk.texts.promotionsStopped));
}
