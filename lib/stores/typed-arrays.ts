const MIN_CAPACITY = 16;

/**
 * The array with room for `size` elements: itself, or a copy twice as long when it is too short, or one half as long
 * (and so on) when three quarters of it are unused. So growing or shrinking one by one costs constant time on average.
 */
export function fitted<A extends Float64Array | Uint32Array | Uint8Array>(array: A, size: number): A {
  const capacity = capacityFor(size, array.length);
  if (capacity === array.length) return array;
  const copy = new (array.constructor as new (length: number) => A)(capacity);
  copy.set(array.subarray(0, capacity));
  return copy;
}

function capacityFor(size: number, current: number): number {
  let capacity = Math.max(current, MIN_CAPACITY);
  while (capacity < size) capacity *= 2;
  while (capacity > MIN_CAPACITY && capacity >= size * 4) capacity /= 2;
  return capacity;
}
