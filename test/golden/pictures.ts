/** The pictures of the docs, as the command `graph` draws them. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { DEFAULT_FLAGS } from '../../lib/cli/commands';
import { graphText } from '../../lib/cli/graph-command';

const root = path.join(__dirname, '../..');
const folder = path.join(root, 'docs/pictures');

/** The examples that have one. */
const EXAMPLES = [
  ['ipsec', 'gcp-ha'],
  ['ipsec', 'onprem'],
  ['ipsec', 'policy'],
  ['kilo', 'services'],
  ['wireguard', 'access-rules'],
  ['wireguard', 'site-to-site'],
] as const;

/** Every picture by its name below docs/pictures. */
export function pictures(): Map<string, string> {
  return new Map(
    EXAMPLES.map(([chart, name]) => {
      const values = [path.join(root, 'values/examples', chart, `${name}.yaml`)];
      return [`${chart}-${name}.svg`, graphText(chart, 'svg', { ...DEFAULT_FLAGS, values })];
    }),
  );
}

export function picturesInTree(): Map<string, string> {
  const names = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
  return new Map(names.map((name) => [name, fs.readFileSync(path.join(folder, name), 'utf8')]));
}
