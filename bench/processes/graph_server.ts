import { startFakeGraph } from "../../scripts/fakes/graph/fake_graph.ts";

/** A Graph API that answers after so many milliseconds and takes so many messages of a number in a second. */
const [port, latencyMs, perSecond] = Deno.args.map(Number);
startFakeGraph({ port, latencyMs, limits: { perSecond } });
