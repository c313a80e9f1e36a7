// A chart of seconds, by uPlot: sized by its box, in the page's colours, both themes. The numbers of the
// newest second stand beside it as text: a chart is for the shape.
import { useEffect, useRef } from "react";
import uPlot from "uplot";

export type Series = { readonly label: string; readonly color: string; readonly fill?: boolean };
type ChartProps = {
  readonly label: string;
  readonly series: readonly Series[];
  /** Seconds, then a row of values for each series; null where nothing is known. */
  readonly data: readonly (readonly (number | null)[])[];
  readonly unit: string;
};

const height = 190;

const colorOf = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const axes = (unit: string): uPlot.Axis[] => {
  const axis: uPlot.Axis = {
    stroke: () => colorOf("--muted"),
    grid: { stroke: () => colorOf("--line"), width: 1 },
    ticks: { show: false },
    font: "11px system-ui, sans-serif",
  };
  const values = (_: uPlot, splits: number[]): string[] =>
    splits.map((value) => `${value.toLocaleString("en")}${unit}`);
  const clock = (_: uPlot, splits: number[]): string[] =>
    splits.map((second) => {
      const time = new Date(second * 1_000).toISOString();
      return second % 60 === 0 ? time.slice(11, 16) : time.slice(11, 19);
    });
  return [
    { ...axis, grid: { show: false }, space: 70, size: 28, values: clock },
    { ...axis, size: 56, values, space: 36 },
  ];
};

const optionsOf = (series: readonly Series[], unit: string, width: number): uPlot.Options => ({
  width,
  height,
  legend: { show: false },
  cursor: { drag: { x: false, y: false }, points: { size: 6 } },
  padding: [10, 20, 0, 0],
  scales: { y: { range: (_, __, max) => [0, Math.max(1, (max ?? 0) * 1.15)] } },
  axes: axes(unit),
  series: [
    {},
    ...series.map(({ label, color, fill }): uPlot.Series => ({
      label,
      stroke: () => colorOf(color),
      width: 1.75,
      spanGaps: false,
      points: { show: false },
      ...(fill === true ? { fill: () => `${colorOf(color)}26` } : {}),
    })),
  ],
});

export const Chart = ({ label, series, data, unit }: ChartProps) => {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const newest = useRef(data);
  newest.current = data;
  const shape = series.map((one) => one.label).join();

  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const made = new uPlot(
      optionsOf(series, unit, element.clientWidth),
      newest.current as uPlot.AlignedData,
      element,
    );
    plot.current = made;
    const resized = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    resized.observe(element);
    const redraw = (): void => made.redraw();
    const themed = new MutationObserver(redraw);
    themed.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", redraw);
    return () => {
      resized.disconnect();
      themed.disconnect();
      scheme.removeEventListener("change", redraw);
      made.destroy();
    };
    // A chart is made once for its series; data come below.
  }, [shape, unit]);

  useEffect(() => plot.current?.setData(data as uPlot.AlignedData), [data]);
  return <div ref={box} className="chart" role="img" aria-label={label} />;
};
