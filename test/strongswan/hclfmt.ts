import { spawnSync } from 'node:child_process';
import { tools } from '../tools';

/** What HashiCorp's own parser says of a file in HCL, and the file as it would be formatted. */
export function hclfmt(file: string): { complaints: string; formatted: string } {
  const { stdout, stderr } = spawnSync(tools.hclfmt(), ['-check'], { input: file, encoding: 'utf8' });
  return { complaints: stderr, formatted: stdout };
}
