// Does something grow? A straight line by least squares through one or several series of figures, each with
// a level of its own, and how sure its slope is. Shared by the growth benchmark and the soak.

export type Point = { readonly x: number; readonly y: number };

export type Line = {
  /** Of all points. */
  readonly mean: number;
  /** What y changes by when x grows by one, the same in every series. */
  readonly slope: number;
  /** Twice the slope's standard error; not a number when there are too few points to say. */
  readonly uncertainty: number;
  readonly points: number;
};

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** @param series each from its own start: a process that was restarted begins another */
export const fitLine = (series: readonly (readonly Point[])[]): Line => {
  const used = series.filter((points) => points.length > 0);
  const centred = used.flatMap((points) => {
    const middle = meanOf(points.map(({ x }) => x));
    const level = meanOf(points.map(({ y }) => y));
    return points.map(({ x, y }) => ({ x: x - middle, y: y - level }));
  });
  const spread = centred.reduce((sum, { x }) => sum + x ** 2, 0);
  const slope = centred.reduce((sum, { x, y }) => sum + x * y, 0) / spread;
  const residual = centred.reduce((sum, { x, y }) => sum + (y - slope * x) ** 2, 0);
  const free = centred.length - used.length - 1;
  return {
    mean: meanOf(used.flatMap((points) => points.map(({ y }) => y))),
    slope,
    uncertainty: free > 0 ? 2 * Math.sqrt(residual / free / spread) : Number.NaN,
    points: centred.length,
  };
};
