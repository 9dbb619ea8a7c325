import type { Measurement } from "./measurement.ts";
import type { CpuRounds } from "./processes/webhook_cpu.ts";
import { run } from "./support/processes.ts";
import { median } from "./support/statistics.ts";
import { figure, ratio } from "./support/table.ts";

/** CPU of one delivery inside the function. */
export const webhookCpu: Measurement = {
  about: "CPU of one delivery in whatsapp-webhook, with a database that answers at once, against a bare Hono handler.",
  async run() {
    const found = await run<CpuRounds[]>("bench/processes/webhook_cpu.ts", { rounds: 25, deliveries: 500 });
    const rows = found.map(({ name, bytes, ours, peer }) => {
      const ratios = ours.map((value, round) => value / peer[round]!);
      return [
        name,
        String(bytes),
        figure(median(ours)),
        figure(median(peer)),
        ratio(median(ours), median(peer)),
        `${Math.min(...ratios).toFixed(2)}-${Math.max(...ratios).toFixed(2)}`,
      ];
    });
    return [{
      title: "CPU per delivery",
      columns: ["body", "bytes", "ours, µs", "bare Hono, µs", "ratio", "ratio by round"],
      rows,
      notes: [
        "Process CPU time (all threads), medians of 25 interleaved rounds of 500 deliveries, 10 at a time, after a warm-up. Target: at most 3x.",
        "The peer reads the body and verifies the HMAC; ours also encodes it, makes the call to the database, logs and traces. Log lines are really written, to /dev/null.",
      ],
    }];
  },
};
