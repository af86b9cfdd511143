import type { Json } from '../staged/node';

const CONTAINERS = ['containers', 'initContainers', 'ephemeralContainers'];

/** Every image of the containers in some objects, wherever a pod stands in them: sorted, each once. */
export function imagesOf(objects: readonly Json[]): string[] {
  return [...new Set(objects.flatMap(imagesIn))].sort();
}

function imagesIn(value: Json): string[] {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap(imagesIn);
  return Object.entries(value).flatMap(([key, child]) => [
    ...(CONTAINERS.includes(key) && Array.isArray(child) ? (child as readonly Json[]).flatMap(imageOf) : []),
    ...imagesIn(child),
  ]);
}

function imageOf(container: Json): string[] {
  const image = typeof container === 'object' && container !== null && 'image' in container && container.image;
  return typeof image === 'string' ? [image] : [];
}
