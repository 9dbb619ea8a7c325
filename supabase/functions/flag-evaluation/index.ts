import { auth } from "shared/http/auth.ts";
import { createApp } from "shared/http/app.ts";
import { limitRate } from "shared/http/limit_rate.ts";
import { returns } from "shared/http/returns.ts";
import { evaluateAll, evaluateOne } from "./evaluate.ts";
import { ofrepContext } from "./ofrep_context.ts";
import { inOfrepWords } from "./ofrep_failure.ts";
import { BulkAnswer, Failure, Success } from "./schema.ts";

const app = createApp("flag-evaluation");
const rate = limitRate("FLAG_EVALUATION_REQUESTS_PER_MINUTE", 600);

for (const environment of ["", "/:environment"]) {
  app.post(
    `${environment}/ofrep/v1/evaluate/flags`,
    auth("user", "publishable", "secret:*"),
    rate,
    ofrepContext(),
    returns({ 200: BulkAnswer, 304: "As in If-None-Match", 400: Failure, 503: Failure }, {
      summary: "Evaluate every flag (OFREP 0.3)",
    }),
    inOfrepWords(evaluateAll),
  );
  app.post(
    `${environment}/ofrep/v1/evaluate/flags/:key{.+}`,
    auth("user", "publishable", "secret:*"),
    rate,
    ofrepContext(),
    returns({ 200: Success, 400: Failure, 404: Failure, 503: Failure }, { summary: "Evaluate one flag (OFREP 0.3)" }),
    inOfrepWords(evaluateOne),
  );
}

export default { fetch: app.fetch } satisfies Deno.ServeDefaultExport;
