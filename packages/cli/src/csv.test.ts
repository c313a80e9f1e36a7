import { describe, expect, test } from "vitest";
import { csvLine, parseCsv } from "./csv.ts";

const rows = (text: string) => {
  const result = parseCsv(text);
  return result.ok ? result.rows.map(({ line, cells }) => [line, ...cells]) : result.fault;
};

describe("CSV", () => {
  test.each<[string, string, unknown]>([
    [
      "plain cells",
      "a,b\nc,d\n",
      [
        [1, "a", "b"],
        [2, "c", "d"],
      ],
    ],
    [
      "no newline at the end",
      "a,b\nc,d",
      [
        [1, "a", "b"],
        [2, "c", "d"],
      ],
    ],
    [
      "CRLF",
      "a,b\r\nc,d\r\n",
      [
        [1, "a", "b"],
        [2, "c", "d"],
      ],
    ],
    ["a byte order mark", "\uFEFFa,b\n", [[1, "a", "b"]]],
    [
      "empty cells",
      ",\n,,\n",
      [
        [1, "", ""],
        [2, "", "", ""],
      ],
    ],
    ["a trailing comma", "a,\n", [[1, "a", ""]]],
    ["a trailing comma at the end of the file", "a,", [[1, "a", ""]]],
    ["a comma in quotes", '"a,b",c\n', [[1, "a,b", "c"]]],
    ["doubled quotes", '"say ""hi""",c\n', [[1, 'say "hi"', "c"]]],
    ["an empty quoted cell", '"",c\n', [[1, "", "c"]]],
    [
      "a line break in quotes",
      '"a\nb",c\nd,e\n',
      [
        [1, "a\nb", "c"],
        [3, "d", "e"],
      ],
    ],
    [
      "CRLF in quotes",
      '"a\r\nb",c\r\nd,e',
      [
        [1, "a\r\nb", "c"],
        [3, "d", "e"],
      ],
    ],
    [
      "blank lines",
      "a,b\n\n\nc,d\n\n",
      [
        [1, "a", "b"],
        [4, "c", "d"],
      ],
    ],
    ["spaces, as they are", " a , b\n", [[1, " a ", " b"]]],
    ["nothing", "", []],
  ])("reads %s", (_what, text, expected) => {
    expect(rows(text)).toEqual(expected);
  });

  test.each([
    ["a quote in the middle of a cell", 'a,b\nc"d,e\n', 2],
    ["text after a closing quote", '"a"b,c\n', 1],
    ["a quote that is never closed", 'a,b\n"c,d\ne,f\n', 2],
    ["a lone carriage return", "a,b\rc,d\n", 1],
    ["a carriage return at the end", "a,b\n\nc,d\r", 3],
  ])("refuses %s and names its line", (_what, text, line) => {
    expect(rows(text)).toMatchObject({ line });
  });

  test("what it writes it reads back", () => {
    const cells = ["plain", "with, comma", 'with "quotes"', "with\nbreak", ""];
    expect(rows(csvLine(cells))).toEqual([[1, ...cells]]);
  });
});
