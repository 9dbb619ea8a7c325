import { createApp } from "shared/http/app.ts";
import { acceptsCalls } from "./accepts_calls.ts";
import { reports } from "./reports.ts";
import { AnyCall, Batch, Call, Outcome, Results } from "./schema.ts";
import { track } from "./track.ts";

/** Segment's calls, and the letters that its browser library shortens them to. */
const CALLS = {
  ...{ track: "track", identify: "identify", page: "page", screen: "screen", group: "group", alias: "alias" },
  ...{ t: "track", i: "identify", p: "page", s: "screen", g: "group", a: "alias" },
} as const;
const BATCHES = ["/v1/batch", "/v1/b", "/batch", "/b", "/beacon/v1/batch", "/api/s/s2s/batch"] as const;
const POSTHOG = ["/e", "/i/v0/e", "/capture", "/track", "/engage"] as const;
const JITSU = ["/api/s/:type", "/api/s/s2s/:type"] as const;

// navigator.sendBeacon() always sends cookies.
const app = createApp("analytics-track", { withCredentials: true });

for (const [name, type] of Object.entries(CALLS)) {
  app.post(
    `/v1/${name}`,
    acceptsCalls(Call, Outcome, `Segment's ${type}`),
    track({ format: "segment", type }),
  );
}
for (const path of BATCHES) {
  app.post(
    path,
    acceptsCalls(Batch, Outcome, "A batch (Segment, RudderStack, PostHog v0)"),
    track({ format: "segment" }),
  );
}
for (const path of POSTHOG) {
  app.post(path, acceptsCalls(AnyCall, Outcome, "Events of PostHog's libraries (v0)"), track({ format: "posthog" }));
}
app.post(
  "/i/v1/analytics/events",
  acceptsCalls(AnyCall, Results, "Events of PostHog's libraries (v1)"),
  track({ format: "posthog", answersEach: true }),
);
for (const path of JITSU) {
  app.post(path, acceptsCalls(AnyCall, Outcome, "One event of Jitsu's libraries"), track({ format: "jitsu" }));
}

app.route("/v1/reports", reports);

export default { fetch: app.fetch } satisfies Deno.ServeDefaultExport;
