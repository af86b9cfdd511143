/** One packet every 10 ms, one way: which of them are lost while something is done, and when. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from './host';

const TOGETHER_SECONDS = 1;
/** As long as the last packets may be on their way, and a moment before anything happens. */
const MARGIN_MILLISECONDS = 2000;

/** A host, and the address by which it takes part. */
export interface End {
  readonly host: Host;
  readonly address: string;
}

/** Packets from ports of one end to the same ports of another one. */
export interface Flow {
  readonly from: End;
  readonly to: End;
  readonly ports: readonly number[];
}

/** Packets that did not come: consecutive ones, or of several such gaps with less than a second between them. */
export interface Gap {
  /** Since the sender began. */
  readonly atSeconds: number;
  readonly seconds: number;
  readonly packets: number;
}

/** What became of the packets of a port. */
export interface Loss {
  readonly sent: number;
  readonly lost: number;
  readonly outages: readonly Gap[];
  /** Of consecutive packets. */
  readonly longestSeconds: number;
  /** How much later than it should the sender has sent a packet: what it cannot have seen. */
  readonly lateSeconds: number;
  /** Of the receiver, by which they came. */
  readonly link: string;
}

/** What `probe.py receive` has written of a sender. */
export interface Received {
  readonly link: string;
  readonly runs: readonly (readonly [first: number, last: number, begun: number, ended: number])[];
}

/** What `probe.py send` has written. */
export interface Sent {
  readonly sent: number;
  readonly seconds: number;
  readonly late: number;
}

/** Counts what is missing between the runs of packets that came, before them and after them. */
export function lossOf({ sent, seconds, late }: Sent, { link, runs }: Received): Loss {
  const gaps: Gap[] = [];
  let next = 0;
  let end = 0;
  for (const [first, last, begun, ended] of [...runs, [sent, sent, seconds, seconds] as const]) {
    if (first > next) gaps.push({ atSeconds: end, seconds: begun - end, packets: first - next });
    next = last + 1;
    end = ended;
  }
  return {
    sent,
    lost: gaps.reduce((sum, { packets }) => sum + packets, 0),
    outages: outagesOf(gaps),
    longestSeconds: Math.max(0, ...gaps.map(({ seconds }) => seconds)),
    lateSeconds: late,
    link,
  };
}

/** Puts together what is nearly one. */
function outagesOf(gaps: readonly Gap[]): Gap[] {
  const outages: Gap[] = [];
  for (const gap of gaps) {
    const last = outages.at(-1);
    if (last !== undefined && gap.atSeconds - (last.atSeconds + last.seconds) < TOGETHER_SECONDS) {
      const seconds = gap.atSeconds + gap.seconds - last.atSeconds;
      outages.splice(-1, 1, { ...last, seconds, packets: last.packets + gap.packets });
    } else outages.push(gap);
  }
  return outages;
}

/** As a figure of the results. */
export const lossFigure = ({ sent, lost, longestSeconds }: Loss): string =>
  lost === 0 ? `0 of ${sent} lost` : `${lost} of ${sent} lost, longest gap ${longestSeconds.toFixed(2)} s`;

/** As that of its tunnels. */
const folderOf = ({ host }: End): string => `/run/host/${host.name}`;

/** A probe.py that runs at one end, before all else there: what a processor has no time for is not lost. */
class Program {
  private constructor(
    private readonly end: End,
    private readonly file: string,
  ) {}

  static async start(end: End, what: 'send' | 'receive', { to, ports }: Flow): Promise<Program> {
    const program = new Program(end, `${folderOf(end)}/${what}-${ports.join('-')}`);
    const words = [what, program.file, end.address, ...(what === 'send' ? [to.address] : []), ...ports].join(' ');
    await end.host.run(
      `mkdir -p ${folderOf(end)}
      cat >${program.file}.py
      rm -f ${program.file} ${program.file}.pid
      setsid chrt --fifo 1 python3 -B ${program.file}.py ${words} </dev/null >${program.file}.log 2>&1 &
      for _ in $(seq 300); do [ ! -e ${program.file}.pid ] || exit 0; sleep 0.1; done
      cat ${program.file}.log >&2
      exit 1`,
      { input: fs.readFileSync(path.join(__dirname, 'probe.py'), 'utf8') },
    );
    return program;
  }

  /** Ends it, and gives what it has written. */
  async stop<T>(): Promise<T> {
    const said = await this.end.host.run(
      `kill -TERM "$(cat ${this.file}.pid)"
      for _ in $(seq 300); do [ ! -e ${this.file} ] || break; sleep 0.1; done
      cat ${this.file}`,
    );
    return JSON.parse(said) as T;
  }
}

/** Flows that run, until they are ended. */
export class Probes {
  private constructor(
    private readonly flows: readonly Flow[],
    private readonly receivers: readonly Program[],
    private readonly senders: readonly Program[],
    private readonly begun: number,
  ) {}

  static async start(flows: readonly Flow[]): Promise<Probes> {
    const receivers = await Promise.all(flows.map((flow) => Program.start(flow.to, 'receive', flow)));
    const begun = Date.now();
    const senders = await Promise.all(flows.map((flow) => Program.start(flow.from, 'send', flow)));
    return new Probes(flows, receivers, senders, begun);
  }

  /** Seconds since they began, as in `Gap.atSeconds` but for the moment that a start takes. */
  seconds(): number {
    return (Date.now() - this.begun) / 1000;
  }

  /** What became of each port of each flow, in their order. */
  async stop(): Promise<Loss[]> {
    const sent = await Promise.all(this.senders.map((sender) => sender.stop<Sent>()));
    await sleep(MARGIN_MILLISECONDS);
    const received = await Promise.all(
      this.receivers.map((receiver) => receiver.stop<Readonly<Record<string, Received>>>()),
    );
    return this.flows.flatMap(({ ports }, index) =>
      ports.map((port) => lossOf(sent[index]!, received[index]?.[port] ?? { link: '', runs: [] })),
    );
  }
}

/** What becomes of flows while something is done, and for a moment before and after it. */
export async function probing(flows: readonly Flow[], action: (probes: Probes) => Promise<unknown>): Promise<Loss[]> {
  const probes = await Probes.start(flows);
  let done = false;
  try {
    await sleep(MARGIN_MILLISECONDS);
    await action(probes);
    await sleep(MARGIN_MILLISECONDS);
    done = true;
  } finally {
    if (!done) await probes.stop().catch(() => undefined);
  }
  return probes.stop();
}
