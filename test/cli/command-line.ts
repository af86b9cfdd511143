/** The command as a user runs it: a process of its own, of the tree as it is now. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import ts from 'typescript';

const root = path.join(__dirname, '../..');

/** How a run ended. */
export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  /** The folder in which it runs. */
  readonly cwd?: string;
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Options of node itself. */
  readonly node?: readonly string[];
}

/**
 * Translates the program into a folder of its own, without looking at types (tsc does that), and gives what runs it.
 * It is as fast as the package that a user has, and does not depend on when `npm run build` was run last.
 */
export class CommandLine {
  readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), 'cdk8s-vpn-cli-'));

  constructor() {
    for (const part of ['lib', 'charts', 'values', 'main.ts', 'package.json']) {
      fs.cpSync(path.join(root, part), path.join(this.folder, part), { recursive: true });
    }
    fs.symlinkSync(path.join(root, 'node_modules'), path.join(this.folder, 'node_modules'));
    const files = fs.readdirSync(this.folder, { recursive: true, encoding: 'utf8' });
    for (const file of files.filter((name) => name.endsWith('.ts') && !name.startsWith('node_modules'))) {
      const place = path.join(this.folder, file);
      const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.CommonJS, esModuleInterop: true };
      const { outputText } = ts.transpileModule(fs.readFileSync(place, 'utf8'), { compilerOptions });
      fs.writeFileSync(place.replace(/ts$/, 'js'), outputText);
    }
  }

  /** The command that starts it, for a shell. */
  get program(): string {
    return `${process.execPath} ${path.join(this.folder, 'lib/cli/main.js')}`;
  }

  run(args: readonly string[], options: RunOptions = {}): Ended {
    return this.start('lib/cli/main.js', args, options);
  }

  /** Runs main.ts. */
  main(options: RunOptions = {}): Ended {
    return this.start('main.js', [], options);
  }

  /** Runs a line of shell; `cli.program` is the command in it. */
  shell(line: string, cwd: string): Ended {
    const { status, stdout, stderr } = spawnSync('sh', ['-c', line], { cwd, encoding: 'utf8', maxBuffer: 1 << 26 });
    return { code: status, out: stdout, err: stderr };
  }

  remove(): void {
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  private start(file: string, args: readonly string[], { cwd, input, env, node = [] }: RunOptions): Ended {
    const { status, stdout, stderr } = spawnSync(process.execPath, [...node, path.join(this.folder, file), ...args], {
      cwd: cwd ?? this.folder,
      input: input ?? '',
      env: { ...process.env, ...env },
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    });
    return { code: status, out: stdout, err: stderr };
  }
}
