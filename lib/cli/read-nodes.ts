import { nodeObject, nodeOf, type ClusterNode } from '../kubernetes/node';
import { InputError } from '../staged/input-error';
import { pathText } from '../staged/problems';
import { parsedObject, readObjects, type ReadObject } from './read-objects';
import { Refusals } from './refusals';

const GIVE_NODES = 'give what `kubectl get nodes -o yaml` prints';

/**
 * The nodes of files, as `kubectl get nodes` or `kubectl get node NAME` print them with `-o yaml` or `-o json`: a list, a single object,
 * or several documents; `-` is standard input.
 *
 * @returns them in the order of their names
 * @throws InputError with every problem of the files; exit code 2 if one cannot be read at all
 */
export function readNodes(paths: readonly string[]): ClusterNode[] {
  const refusals = new Refusals();
  const found = new Map<string, { node: ClusterNode; place: string }>();
  for (const path of paths)
    for (const { node, place } of refusals.attempt(() => nodesOf(path)) ?? []) {
      const other = found.get(node.name);
      if (other === undefined) found.set(node.name, { node, place });
      else
        refusals.attempt(() => {
          throw new InputError([
            `${place}: is a node of the same name as at ${other.place}, got ${JSON.stringify(node.name)}; keep one of them`,
          ]);
        });
    }
  refusals.throwIfAny();
  return [...found.values()].map(({ node }) => node).sort((a, b) => (a.name < b.name ? -1 : 1));
}

function nodesOf(path: string): { node: ClusterNode; place: string }[] {
  const refusals = new Refusals();
  const { name, objects } = readObjects(path, { after: '--nodes', give: GIVE_NODES });
  const nodes = objects.flatMap((object) => refusals.attempt(() => [parsed(object)]) ?? []);
  refusals.throwIfAny();
  if (nodes.length === 0) throw new InputError([`${name}: has no node; ${GIVE_NODES}`]);
  return nodes;
}

function parsed(object: ReadObject): { node: ClusterNode; place: string } {
  const { kind, at, place } = object;
  if (kind !== 'Node') {
    const got = kind === undefined ? 'nothing' : JSON.stringify(kind);
    throw new InputError([
      `${place([...at, 'kind'])}: ${pathText([...at, 'kind'])}: is not Node, got ${got}; ${GIVE_NODES}`,
    ]);
  }
  return { node: nodeOf(parsedObject(nodeObject, object)), place: place(at) };
}
