import { assertEquals } from "@std/assert";
import { balanceOf, type Intake, intakeTest, paymentCount, type Person } from "./intake.ts";

const TWINS = 50;

/** Submits as a client does that was told to come again: it waits as long as it was told, and sends the same. */
async function submit(intake: Intake, rider: Person, body: unknown): Promise<string> {
  for (;;) {
    const answer = await intake.as(rider, "/payments", { body, key: "fare-1" });
    const text = await answer.text();
    if (answer.status !== 409 && answer.status !== 503) return `${answer.status} ${text}`;
    const seconds = Number(answer.headers.get("retry-after") ?? NaN);
    if (!(seconds > 0)) throw new Error(`${answer.status} without Retry-After: ${text}`);
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  }
}

for (const method of ["wallet", "mtn_momo"]) {
  intakeTest(`${TWINS} submits at once by ${method} make one payment and ${TWINS} equal answers`, async (intake) => {
    const [rider, driver] = [await intake.person(1_000), await intake.person()];
    const body = { amount: 700, currency: "RWF", method, to_account_id: driver.accountId };

    const answers = await Promise.all(Array.from({ length: TWINS }, () => submit(intake, rider, body)));

    assertEquals([...new Set(answers)].length, 1, [...new Set(answers)].join("\n"));
    assertEquals(answers[0]!.slice(0, 3), "201");
    assertEquals(await paymentCount(intake.sql), 1);
    assertEquals(await balanceOf(intake.sql, rider.accountId), method === "wallet" ? 300 : 1_000);
    assertEquals(
      intake.momo.requests.filter((request) => request.endsWith("/requesttopay")).length,
      method === "wallet" ? 0 : 1,
    );
  });
}
