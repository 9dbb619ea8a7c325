import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { random } from "../../../scripts/fakes/random.ts";
import { balanceOf, type Intake, intakeTest } from "./intake.ts";
import { post, receiptOf, SENDERS } from "./senders.ts";

const AT_ONCE = 16;
const BELIEVED = [SENDERS.standardWebhooks, SENDERS.paystack];

/** What a provider tells of one payment, each so many times. */
interface Story {
  sender: number;
  told: { status: "succeeded" | "failed" | "processing"; copies: number }[];
}

const story: fc.Arbitrary<Story> = fc.record({
  sender: fc.nat(BELIEVED.length - 1),
  told: fc.array(
    fc.record({
      status: fc.constantFrom("succeeded" as const, "failed" as const, "processing" as const),
      copies: fc.integer({ min: 1, max: 5 }),
    }),
    { minLength: 1, maxLength: 4 },
  ),
});

intakeTest(
  "events in any number and order, 16 at once, pay what succeeded, once, and take nothing back",
  async (intake) => {
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(story, { minLength: 1, maxLength: 6 }), fc.nat(), async (stories, seed) => {
        const rider = await intake.person();
        const payments: Awaited<ReturnType<typeof open>>[] = [];
        for (const { sender } of stories) payments.push(await open(intake, rider, BELIEVED[sender]!.method));
        const deliveries = stories.flatMap(({ sender, told }, which) =>
          told.flatMap(({ status, copies }, index) => {
            const body = BELIEVED[sender]!.body({
              reference: payments[which]!.reference,
              amount: 700,
              status,
              providerId: `p${round}x${which}`,
              eventId: `e${round}x${which}x${index}`,
            });
            return Array.from({ length: copies }, () => () => post(intake, BELIEVED[sender]!, body));
          })
        );
        round++;

        const left = random(seed).shuffle(deliveries);
        async function deliver(): Promise<void> {
          for (let next = left.pop(); next; next = left.pop()) await receiptOf(next());
        }
        await Promise.all(Array.from({ length: AT_ONCE }, deliver));

        for (const [which, { told }] of stories.entries()) {
          const { id, driver } = payments[which]!;
          const isPaid = told.some(({ status }) => status === "succeeded");
          assertEquals(await balanceOf(intake.sql, driver), isPaid ? 700 : 0);
          assertEquals(await statusOf(intake, id) === "succeeded", isPaid);
        }
        assertEquals([...await intake.sql`select from public.transaction_events where from_status = 'succeeded'`], []);
      }),
      { numRuns: 12 },
    );
    assertEquals([...await intake.sql`select * from public.wallet_drift`], []);
  },
);

async function open(
  intake: Intake,
  rider: Awaited<ReturnType<Intake["person"]>>,
  method: string,
): Promise<{ id: string; reference: string; driver: string }> {
  const { accountId: driver } = await intake.person();
  const body = { amount: 700, currency: "RWF", method, to_account_id: driver };
  const payment = await (await intake.as(rider, "/payments", { body, key: crypto.randomUUID() })).json();
  return { id: payment.id, reference: payment.next_action.reference, driver };
}

async function statusOf({ sql }: Intake, id: string): Promise<string> {
  const [row] = await sql`select status from public.transactions where id = ${id}`;
  return row!.status;
}
