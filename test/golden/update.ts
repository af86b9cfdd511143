/** `npm run golden`: writes the golden files and the pictures of the docs anew, and removes those that nothing makes any more. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { goldens, goldensInTree } from './goldens';
import { pictures, picturesInTree } from './pictures';

const root = path.join(__dirname, '../..');

function update(folder: string, wanted: ReadonlyMap<string, string>, found: ReadonlyMap<string, string>): void {
  for (const [name, text] of wanted) {
    if (found.get(name) === text) continue;
    const file = path.join(root, folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
    process.stdout.write(`${found.has(name) ? 'changed' : 'new'}: ${folder}/${name}\n`);
  }
  for (const name of found.keys()) {
    if (wanted.has(name)) continue;
    fs.rmSync(path.join(root, folder, name));
    process.stdout.write(`removed: ${folder}/${name}\n`);
  }
}

update('test/golden', goldens(), goldensInTree());
update('docs/pictures', pictures(), picturesInTree());
