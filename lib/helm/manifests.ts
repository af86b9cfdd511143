import type { KubernetesObject } from '../staged/resource';
import { GENERATED } from './chart-yaml';
import { toYaml } from './yaml';

/** A manifest in a file of its own. */
export interface ManifestFile {
  readonly name: string;
  readonly text: string;
  /** It holds key material: only its owner may read it. */
  readonly secret: boolean;
}

/** The first line of every manifest file, by which a later run knows its own. */
export const MANIFEST_MARK = `${GENERATED}; do not edit.`;

const SECRET_NOTE = '# This object holds secret content: keep it out of version control.';

/**
 * One file per object, with the names that cdk8s gives: `Deployment.vpn-wireguard.k8s.yaml`. Objects of one kind and name
 * (in several namespaces) are numbered.
 */
export function manifestFiles(objects: readonly KubernetesObject[]): ManifestFile[] {
  const seen = new Map<string, number>();
  return objects.map((object) => {
    // A name may be anything in extra objects; some file systems do not tell upper from lower case.
    const name = `${object.kind}.${object.metadata.name}`.replaceAll(/[^\w.:-]/g, '_');
    const count = (seen.get(name.toLowerCase()) ?? 0) + 1;
    seen.set(name.toLowerCase(), count);
    return {
      name: `${name}${count === 1 ? '' : `.${count}`}.k8s.yaml`,
      text: `${MANIFEST_MARK}\n${document(object)}`,
      secret: isSecret(object),
    };
  });
}

/** All objects in one stream, for `kubectl apply -f -`. */
export function manifestStream(objects: readonly KubernetesObject[]): string {
  return objects.map((object) => `---\n${document(object)}`).join('');
}

function document(object: KubernetesObject): string {
  return `${isSecret(object) ? `${SECRET_NOTE}\n` : ''}${toYaml(object)}`;
}

function isSecret({ kind, data, stringData, items }: Partial<KubernetesObject>): boolean {
  if (Array.isArray(items)) return (items as readonly Partial<KubernetesObject>[]).some(isSecret);
  return kind === 'Secret' && (data !== undefined || stringData !== undefined);
}
