// What the page's reader gives of a Parquet file, as JSON: node parquet_in_node.mjs FILE
import { readFileSync } from "node:fs";
import { reader } from "../book/_static/live/parquet.mjs";

const { look, column } = reader((path) => new Uint8Array(readFileSync(path)));
const about = look(process.argv[2]);
const { columns, groups } = about.startsWith("failed: ") ? { columns: [], groups: [] } : JSON.parse(about);
const shown = (got) => typeof got === "string" ? got : got.map((bytes) => Buffer.from(bytes).toString("base64"));
process.stdout.write(JSON.stringify({
  about, columns: columns.map((_, place) => groups.map((_, group) => shown(column(place, group)))),
}));
