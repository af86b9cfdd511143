/** What becomes of a ping every 10 ms while something is done. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from './host';
import { until } from './processes';

export interface Pings {
  readonly lost: number;
  readonly gapSeconds: number;
  readonly figure: string;
}

/** Pings while something is done, and until it works again. */
export async function during(client: Host, target: string, action: () => Promise<unknown>): Promise<Pings> {
  const [pings, stop] = [`/run/host/${client.name}/pings`, `/run/host/${client.name}/stop`];
  // The last answers may still be on their way; without more than a few it has not come back.
  const count = String.raw`
    match($0, /bytes from .*icmp_seq=[0-9]+/) {
      time = substr($1, 2) + 0
      last = substr($0, RSTART, RLENGTH)
      sub(/.*=/, "", last)
      if (received++ && time - before > gap) gap = time - before
      before = time
    }
    / packets transmitted/ { sent = $1 }
    END {
      if (sent - last > 5) exit 1
      printf "%d %d %.2f\n", last - received, last, gap
    }`;
  await until('answers before anything happens', 60, () => client.ping(target), 1);
  const run = client.run(
    `mkdir -p /run/host/${client.name}
    rm -f ${stop}
    stdbuf -oL ping -n -D -i 0.01 ${target} >${pings} &
    pid=$!
    while [ ! -e ${stop} ]; do sleep 0.2; done
    kill -INT $pid
    wait $pid
    awk '${count}' ${pings}`,
    { seconds: 600 },
  );
  // It is waited for in any case.
  run.catch(() => undefined);
  try {
    await sleep(2000);
    await action();
    await until('answers', 150, () => client.ping(target), 1);
    await sleep(2000);
  } finally {
    await client.run(`touch ${stop}`);
    await run.catch(() => undefined);
  }
  const [lost = '', all = '', gap = ''] = (await run).trim().split(' ');
  return { lost: Number(lost), gapSeconds: Number(gap), figure: `${lost} of ${all} lost, longest gap ${gap} s` };
}
