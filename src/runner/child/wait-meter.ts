/** What this process used of the processor while a runner was at work, in nanoseconds. */
export interface Waited {
  readonly cpuNs: number;
  readonly wallNs: number;
}

/** CPU time of this process, all of its threads together, between the sending of commands and the arrival of replies. */
export class WaitMeter {
  #cpuNs = 0;
  #wallNs = 0;
  #begun: { readonly cpu: NodeJS.CpuUsage; readonly ns: bigint } | null = null;

  get waited(): Waited {
    return { cpuNs: this.#cpuNs, wallNs: this.#wallNs };
  }

  begin(): void {
    this.#begun = { cpu: process.cpuUsage(), ns: process.hrtime.bigint() };
  }

  /** Before the reply is looked at: reading it is no longer beside the runner's work. Nothing when none was begun. */
  end(): void {
    if (this.#begun === null) return;
    const { user, system } = process.cpuUsage(this.#begun.cpu);
    this.#cpuNs += (user + system) * 1e3;
    this.#wallNs += Number(process.hrtime.bigint() - this.#begun.ns);
    this.#begun = null;
  }
}
