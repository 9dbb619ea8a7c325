import type { PointedError } from "../../shared/problem.ts";

/** A problem as a client reads it. */
export interface ProblemBody {
  type: string;
  title: string;
  status: number;
  detail?: string;
  request_id: string;
  errors?: PointedError[];
  details?: unknown;
}

/** The status and code of a problem answer: `422 validation_failed`; of any other answer the status alone. */
export async function outcomeOf(response: Response | Promise<Response>): Promise<string> {
  const answer = await response;
  if (answer.headers.get("content-type") !== "application/problem+json") {
    await answer.body?.cancel();
    return String(answer.status);
  }
  const problem: ProblemBody = await answer.json();
  return `${answer.status} ${problem.type.replace("/problems/", "")}`;
}

/** The code of the problem that `work` throws, or undefined when it throws none. */
export async function codeThrownBy(work: () => unknown): Promise<string | undefined> {
  try {
    await work();
  } catch (error) {
    return (error as { code?: string }).code;
  }
}
