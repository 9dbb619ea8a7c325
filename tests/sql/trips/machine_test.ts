import { assertEquals } from "@std/assert";
import * as fc from "fast-check";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { refusalOf } from "../wallet/wallets.ts";
import { cancel, get, type Move, move, openDriver, openRider, request } from "./trips.ts";

const database = await createTestDatabase();

/** From which states each side may move a trip whereto: written down once more, not read from the table. */
const MODEL: Record<string, Record<string, string>> = {
  offered: { "driver accept": "accepted", "rider cancel": "cancelled", "system cancel": "cancelled" },
  accepted: {
    "driver accept": "accepted",
    "driver arrive": "arrived",
    "driver start": "started",
    "rider cancel": "cancelled",
    "driver cancel": "cancelled",
    "system cancel": "cancelled",
  },
  arrived: {
    "driver arrive": "arrived",
    "driver start": "started",
    "rider cancel": "cancelled",
    "driver cancel": "cancelled",
    "system cancel": "cancelled",
  },
  started: {
    "driver start": "started",
    "driver complete": "completed",
    "driver cancel": "cancelled",
    "system cancel": "cancelled",
  },
  completed: { "driver complete": "completed" },
  cancelled: {},
};
const SIDES = ["rider", "driver", "system"];
const ACTS = SIDES.flatMap((side) =>
  ["accept", "arrive", "start", "complete", "cancel"]
    .filter((verb) => verb === "cancel" || side !== "system")
    .map((verb) => `${side} ${verb}`)
);
const PATHS: Record<string, string[]> = {
  offered: [],
  accepted: ["driver accept"],
  arrived: ["driver accept", "driver arrive"],
  started: ["driver accept", "driver start"],
  completed: ["driver accept", "driver start", "driver complete"],
  cancelled: ["rider cancel"],
};

for (const [status, path] of Object.entries(PATHS)) {
  Deno.test(
    `a trip that is ${status} moves exactly as the model says`,
    rolledBack(database, async (sql) => {
      for (const act of ACTS) {
        const stage = await open(sql);
        for (const step of path) await stage.act(step);

        const refusal = await stage.act(act);

        const expected = MODEL[status]![act] ?? (isRepeated(status, path, act) ? status : undefined);
        assertEquals([act, refusal === "accepted"], [act, expected !== undefined]);
        assertEquals([act, await stage.status()], [act, expected ?? status]);
      }
    }),
  );
}

Deno.test(
  "any walk of moves ends where the model ends",
  rolledBack(database, async (sql) => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...ACTS), { maxLength: 12 }), async (walk) => {
        const stage = await open(sql);
        let expected = "offered";
        for (const act of walk) {
          await stage.act(act);
          expected = MODEL[expected]![act] ?? expected;
          assertEquals(await stage.status(), expected);
        }
      }),
      { numRuns: 25 },
    );
  }),
);

/** Whoever cancelled may say so again. */
function isRepeated(status: string, path: string[], act: string): boolean {
  return status === "cancelled" && path.at(-1) === act;
}

async function open(sql: TransactionSql) {
  const [rider, driver] = [await openRider(sql), await openDriver(sql)];
  const trip = await request(sql, rider.id);
  await sql`select public.offer_trip(${trip.id}, ${[driver.id]}::uuid[])`;
  const ids: Record<string, string | null> = { rider: rider.id, driver: driver.id, system: null };
  return {
    status: async () => (await get(sql, trip.id)).status,
    act: (act: string) => {
      const [side, verb] = act.split(" ") as [string, string];
      const id = ids[side]!;
      return refusalOf(
        sql,
        (sql) => verb === "cancel" ? cancel(sql, trip.id, "other", id) : move(sql, verb as Move, trip.id, id),
      );
    },
  };
}
