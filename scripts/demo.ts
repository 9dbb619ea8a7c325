import { runCommand } from "./stack/command.ts";
import { connect } from "./stack/connection.ts";
import { readOptions } from "./stack/options.ts";
import { StackError } from "./stack/stack_error.ts";
import { readState } from "./stack/state.ts";
import { tellStory } from "./story/one_story.ts";

/** Tells one ride, from the greeting to the receipt, on the suite that runs here. */
await runCommand(async () => {
  const state = await readState(readOptions(Deno.args).data);
  if (!state) throw new StackError("EasyMO Edge is not running here: start it with `deno task start`");
  const sql = connect(state.dbUrl);
  const { correlationId } = await tellStory({ apiUrl: state.apiUrl, sql, tell: (line) => console.log(line) });
  const found = await sql`
    select source, count(*) as count from public.trace_correlation(${correlationId}) group by source order by source`;
  console.log(`9. select * from public.trace_correlation('${correlationId}') finds all of it:`);
  for (const { source, count } of found) console.log(`   ${count} in ${source}`);
  await sql.end();
});
