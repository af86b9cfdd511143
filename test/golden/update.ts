/** `npm run golden`: writes the golden files anew, and removes those that nothing makes any more. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { goldens, goldensInTree } from './goldens';

const wanted = goldens();
const found = goldensInTree();

for (const [name, text] of wanted) {
  if (found.get(name) === text) continue;
  const file = path.join(__dirname, name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
  process.stdout.write(`${found.has(name) ? 'changed' : 'new'}: test/golden/${name}\n`);
}
for (const name of found.keys()) {
  if (wanted.has(name)) continue;
  fs.rmSync(path.join(__dirname, name));
  process.stdout.write(`removed: test/golden/${name}\n`);
}
