/** How much a run may take before it claims nothing more. */
export interface Budget {
  wallMs: number;
  cpuMs: number;
}

/** Which part of the budget is used up, if one is. */
export function exhausted(budget: Budget, spent: Budget): "time" | "cpu" | undefined {
  if (spent.wallMs >= budget.wallMs) return "time";
  if (spent.cpuMs >= budget.cpuMs) return "cpu";
}
