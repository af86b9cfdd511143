import { z } from 'zod';
import { branches } from '../../lib/helm/leaves';
import { chartReadme } from '../../lib/helm/readme';

const metadata = {
  name: 'shop',
  version: '1.2.3',
  appVersion: '4.5',
  description: 'A shop',
  kubeVersion: '>=1.25.0-0',
  keywords: [],
  introduction: '## Install\n\nDo it.',
};
const readme = (shape: z.core.$ZodShape): string => chartReadme(metadata, branches(z.strictObject(shape)));

describe('the README of a chart', () => {
  test('begins with what the chart is, in which versions', () => {
    expect(readme({})).toContain(
      '# shop\n\nA shop\n\nChart 1.2.3, application 4.5, Kubernetes >=1.25.0.\n\n## Install\n\nDo it.\n',
    );
  });

  test('has a row for every value, with its type and default', () => {
    const text = readme({
      a: z.int().default(1).describe('A number'),
      b: z.strictObject({ c: z.string().optional().describe('A text') }).prefault({}),
    });
    expect(text).toContain('| `a` | int | `1` | A number |\n| `b.c` | string |  | A text |\n');
  });

  test('shows the place of an entry so that Markdown does not take it for HTML', () => {
    expect(
      readme({
        peers: z
          .record(z.string(), z.strictObject({ key: z.string().describe('Key') }))
          .default({})
          .describe('Peers'),
      }),
    ).toContain('| `peers.<name>.key` | string |  | Key |');
  });

  test('keeps a table a table where a description has a bar', () => {
    expect(readme({ a: z.string().default('x|y').describe('one | other') })).toContain(
      '| `a` | string | `"x\\|y"` | one \\| other |',
    );
  });
});
