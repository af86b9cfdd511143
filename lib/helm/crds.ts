import type { IConstruct } from 'constructs';
import { ResourceDefinition } from '../staged/resource';
import { guardsOf } from '../staged/scope';
import type { ChartFile } from './templates';
import { toYaml } from './yaml';

/** The definitions of kinds of objects below a construct: one file each, which Helm takes as it is. */
export function printDefinitions(root: IConstruct): ChartFile[] {
  return root.node
    .findAll()
    .filter((construct): construct is ResourceDefinition => construct instanceof ResourceDefinition)
    .map((construct) => {
      if (guardsOf(construct).length > 0)
        throw new TypeError(`${construct.node.path}: is in a condition or a loop, which crds/ of a chart cannot have`);
      return { name: `crds/${construct.definition.metadata.name}.yaml`, text: toYaml(construct.definition) };
    });
}
