/**
 * Tests that need a tool or an ability of the machine.
 *
 * Where it is missing they are left out, and nobody overlooks it: run.ts prints the list in its last lines, and with CI=true
 * they fail.
 */
import * as fs from 'node:fs';
import { missing, unable, type Ability, type ToolName } from './tools';

export type Condition = ToolName | Ability;

const ABILITIES: readonly string[] = ['root', 'linux', 'netns', 'tun'] satisfies Ability[];

/** The file in which omissions are recorded, one JSON string a line; run.ts sets it. */
export const RECORD = 'CDK8S_VPN_LEFT_OUT';

/** Whether anything left out is an error. */
export function isCi(): boolean {
  return ['true', '1'].includes(process.env['CI'] ?? '');
}

/** What is lacking of the conditions, as `<name>: <why>`. */
export function lacking(conditions: readonly Condition[]): string[] {
  return conditions.flatMap((condition) => {
    const reason = isAbility(condition) ? unable(condition) : missing(condition);
    return reason === undefined ? [] : [`${condition}: ${reason}`];
  });
}

/**
 * `describe`, if all conditions hold.
 *
 * Otherwise one test stands for all of it: skipped and recorded, or failing with CI=true. The function is not called then,
 * so it may ask for paths of tools at once.
 */
export function describeWith(conditions: readonly Condition[], title: string, tests: () => void): void {
  const lacks = lacking(conditions);
  describe(title, () => {
    if (lacks.length === 0) {
      tests();
    } else if (isCi()) {
      test('is left out', () => {
        throw new Error(`needs ${lacks.join('; ')}`);
      });
    } else {
      record(`${title} (${lacks.join('; ')})`);
      test.skip(`left out: ${lacks.join('; ')}`, () => undefined);
    }
  });
}

function record(omission: string): void {
  const file = process.env[RECORD];
  if (file !== undefined) fs.appendFileSync(file, `${JSON.stringify(omission)}\n`);
}

function isAbility(condition: Condition): condition is Ability {
  return ABILITIES.includes(condition);
}
