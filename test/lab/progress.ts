/** What is going on, told on standard error; a terminal sees the seconds pass. */
import * as fs from 'node:fs';

export function say(line: string): void {
  write(`${line}\n`);
}

/** The terminal may be gone; the work has to be cleaned up nevertheless. */
function write(text: string): void {
  try {
    fs.writeSync(2, text);
  } catch {
    // Nobody reads it.
  }
}

/** Seconds of every step, in order. */
export const steps: { title: string; seconds: number }[] = [];

export async function step<T>(title: string, work: () => Promise<T>): Promise<T> {
  const start = Date.now();
  const seconds = (): number => (Date.now() - start) / 1000;
  const line = (): string => `  ${title.padEnd(64, ' ')} ${seconds().toFixed(1).padStart(6)} s`;
  const ticker = process.stderr.isTTY ? setInterval(() => write(`\r${line()} …`), 500) : undefined;
  const finish = (end: string): void => {
    clearInterval(ticker);
    write(`${ticker === undefined ? '' : '\r'}${line()}${end}\n`);
  };
  try {
    const result = await work();
    steps.push({ title, seconds: seconds() });
    finish('  ');
    return result;
  } catch (error) {
    finish('  FAILED');
    throw error;
  }
}
