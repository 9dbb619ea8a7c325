import { startFakeMomo } from "../fakes/momo/fake_momo.ts";
import { localCourse } from "../fakes/momo/tricky_numbers.ts";
import { startFakeStripe } from "../fakes/stripe/fake_stripe.ts";

/** How long the payer takes to approve. */
const APPROVAL_MS = 1_000;

/**
 * Lets people pay on this machine: an MTN MoMo whose payers approve by themselves after a second, and a Stripe whose
 * payers have a good card. Whoever has set keys of a real one pays there, and gets no fake of it.
 *
 * @returns how to stop
 */
export function openLocalPayments(webhooksUrl: string): () => Promise<void> {
  const closers = [openMomo(webhooksUrl), openStripe(webhooksUrl)];
  return async () => {
    for (const close of closers) await close();
  };
}

function openMomo(webhooksUrl: string): () => Promise<void> {
  if (Deno.env.get("MTN_MOMO_COLLECTION_SUBSCRIPTION_KEY")) return () => Promise.resolve();
  const momo = startFakeMomo({
    callsBack: true,
    course(request) {
      console.log(`momo ${request.resource} ${request.amount} ${request.currency} ${request.party ?? ""}`.trimEnd());
      return localCourse(request);
    },
  });
  provide({ ...momo.settings, MTN_MOMO_CALLBACK_URL: `${webhooksUrl}/mtn-momo` }, momo.host);
  return () => momo[Symbol.asyncDispose]();
}

function openStripe(webhooksUrl: string): () => Promise<void> {
  if (Deno.env.get("STRIPE_SECRET_KEY")) return () => Promise.resolve();
  const [secret] = Deno.env.get("STRIPE_WEBHOOK_SECRETS")!.split(",");
  const webhook = { target: `${webhooksUrl}/stripe`, secret: secret!.trim() };
  const stripe = startFakeStripe({ webhook, confirmsAfterMs: APPROVAL_MS });
  provide(stripe.settings, stripe.host);
  return () => stripe[Symbol.asyncDispose]();
}

function provide(settings: Record<string, string>, host: string): void {
  for (const [name, value] of Object.entries(settings)) Deno.env.set(name, value);
  const allowed = Deno.env.get("OUTBOUND_ALLOWED_HOSTS");
  Deno.env.set("OUTBOUND_ALLOWED_HOSTS", allowed ? `${allowed},${host}` : host);
}
