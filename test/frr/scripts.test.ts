import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { describeWith } from '../left-out';

const classes = [
  ...fs.readFileSync(path.join(__dirname, 'decisions.py'), 'utf8').matchAll(/^class (\w+)\(unittest\.TestCase\)/gm),
].map(([, name = '']) => name);

describeWith(['python3'], 'what the programs of FRR decide', () => {
  test.each(classes)('%s', (name) => {
    const { status, stderr } = spawnSync('python3', ['-B', '-m', 'unittest', '-v', `decisions.${name}`], {
      cwd: __dirname,
      env: { ...process.env, PYTHONPATH: path.join(__dirname, '../../lib/frr') },
      encoding: 'utf8',
    });
    expect({ status, said: status === 0 ? '' : stderr }).toEqual({ status: 0, said: '' });
    expect(stderr).toMatch(/^Ran [1-9]\d* tests? in /m);
  });
});
