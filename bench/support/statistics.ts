/** The value that half of the others stay below. */
export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** The smallest of the values that at least that share (0 to 1) of them do not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

/** Which part (0 to 1) of the values is greater than the limit. */
export function shareAbove(values: readonly number[], limit: number): number {
  return values.filter((value) => value > limit).length / values.length;
}
