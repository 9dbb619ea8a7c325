/** The machine and how busy it is now; a figure without it says little. */
export function machine(): string {
  const { hardwareConcurrency: cores } = navigator;
  return `${cores} cores, ${Deno.build.os}-${Deno.build.arch}, Deno ${Deno.version.deno}`;
}

/** Processes that run or wait to, as the mean of the last minute. */
export function load(): string {
  return Deno.loadavg()[0]!.toFixed(1);
}

/** Clock ticks per second, the unit of /proc: 100 on every Linux that we meet. */
const TICKS = 100;

/** CPU that a process has used so far, in milliseconds; NaN where there is no /proc. */
export function cpuOf(pid: number): number {
  const [user = NaN, system = NaN] = ticksOf(pid);
  return (user + system) * 1_000 / TICKS;
}

/** CPU that a process's children have used so far, those that ended included, in milliseconds. */
export function cpuOfChildren(pid: number): number {
  const [, , user = NaN, system = NaN] = ticksOf(pid);
  return childrenOf(pid).reduce((sum, child) => sum + cpuOf(child), (user + system) * 1_000 / TICKS);
}

/** User and system time, of the process and of its children that ended (proc_pid_stat(5), fields 14 to 17). */
function ticksOf(pid: number): number[] {
  const stat = read(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ").slice(11, 15).map(Number);
}

/** The processes that this one has started and that still run. */
export function childrenOf(pid: number): number[] {
  return read(`/proc/${pid}/task/${pid}/children`).split(" ").filter(Boolean).map(Number);
}

function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}
