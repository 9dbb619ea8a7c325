/** The machine; a figure without it says little. */
export function machine(): string {
  const { hardwareConcurrency: cores } = navigator;
  return `${cores} cores, ${Deno.build.os}-${Deno.build.arch}, Deno ${Deno.version.deno}`;
}

/** How busy it is: processes that run or wait to, as the mean of the last minute. */
export function load(): string {
  return Deno.loadavg()[0]!.toFixed(1);
}

/** Clock ticks per second, the unit of /proc: 100 on every Linux that we meet. */
const TICKS = 100;

/** CPU that a process has used so far, in milliseconds; NaN where there is no /proc. */
export function cpuOf(pid: number): number {
  return sum(statOf(pid).slice(UTIME, UTIME + 2)) * 1_000 / TICKS;
}

/** CPU of a process and all that it has started, in milliseconds: those that ended, and those that run. */
export function cpuOfFamily(pid: number): number {
  const own = sum(statOf(pid).slice(UTIME, UTIME + 4)) * 1_000 / TICKS;
  return own + sum(childrenOf(pid).map(cpuOf));
}

/** CPU that everything on the machine has used since it started, its hypervisor's theft included, in milliseconds. */
export function cpuOfMachine(): number {
  const [user, nice, system, _idle, _waiting, irq, softIrq, stolen] = read("/proc/stat").split(/\s+/).slice(1).map(
    Number,
  );
  return sum([user, nice, system, irq, softIrq, stolen].map((ticks) => ticks ?? NaN)) * 1_000 / TICKS;
}

export function parentOf(pid: number): number {
  return statOf(pid)[PPID]!;
}

/** proc_pid_stat(5), counted from the field behind the name; children that ended follow behind the process's own. */
const PPID = 1;
const UTIME = 11;

function statOf(pid: number): number[] {
  const stat = read(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ").map(Number);
}

function childrenOf(pid: number): number[] {
  return read(`/proc/${pid}/task/${pid}/children`).split(" ").filter(Boolean).map(Number);
}

function sum(values: number[]): number {
  return values.length === 0 ? NaN : values.reduce((total, value) => total + value, 0);
}

function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}
