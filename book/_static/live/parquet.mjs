// A Parquet file in the page: what it declares, and its columns' bytes, a row group at a time.
// Values stay as they are stored, so that none loses a digit; parquet.py says what they mean.
import { assembleNested } from "./parquet/hyparquet-1.33.0/src/assemble.js";
import { readColumn } from "./parquet/hyparquet-1.33.0/src/column.js";
import { DEFAULT_PARSERS } from "./parquet/hyparquet-1.33.0/src/convert.js";
import { parquetMetadata, parquetSchema } from "./parquet/hyparquet-1.33.0/src/metadata.js";
import { gunzip } from "./parquet/hyparquet-compressors-1.1.2/src/gzip.js";
import { decompressLz4, decompressLz4Raw } from "./parquet/hyparquet-compressors-1.1.2/src/lz4.js";
import { decompress } from "./parquet/fzstd-0.1.1/esm/index.mjs";

const unless = (unpack) => (bytes, size) => (size ? unpack(bytes, size) : new Uint8Array()); // empty
const compressors = {
  GZIP: unless((bytes, size) => gunzip(bytes, new Uint8Array(size))),
  LZ4: unless(decompressLz4),
  LZ4_RAW: unless(decompressLz4Raw),
  ZSTD: unless((bytes, size) => decompress(bytes, new Uint8Array(size))),
};
const NO_PARQUET = // as pyarrow says it
  "Parquet magic bytes not found in footer. Either the file is corrupted or this is not a parquet file";
const CODECS = ["UNCOMPRESSED", "SNAPPY", ...Object.keys(compressors)];
const ARRAYS = {
  BOOLEAN: Uint8Array, INT32: Int32Array, INT64: BigInt64Array, INT96: BigInt64Array,
  FLOAT: Float32Array, DOUBLE: Float64Array,
};
const parsers = { ...DEFAULT_PARSERS, timestampFromNanoseconds: (value) => value }; // of an INT96

// The ways from the root to each leaf below a column.
const leaves = (way) => {
  const { children } = way.at(-1);
  return children.length ? children.flatMap((child) => leaves([...way, child])) : [way];
};

export function reader(readFile) {
  let bytes, groups, columns;

  function look(path) {
    bytes = readFile(path);
    if (String.fromCharCode(...bytes.slice(-4)) !== "PAR1") throw new Error(NO_PARQUET);
    const found = parquetMetadata(bytes, { geoparquet: false });
    const tree = parquetSchema(found);
    groups = found.row_groups;
    let first = 0;
    columns = tree.children.map((child) => {
      const ways = leaves([tree, child]), from = first;
      first += ways.length;
      return { ...child.element, child, ways, from, nested: ways[0].length > 2 || child.element.repetition_type === "REPEATED" };
    });
    const about = ({ child, ways, from, ...element }) => {
      const chunks = groups.flatMap((group) => group.columns.slice(from, from + ways.length));
      const codecs = chunks.map((chunk) => chunk.meta_data?.codec ?? "unknown");
      return {
        ...element, encrypted: chunks.some((chunk) => chunk.crypto_metadata),
        codec: codecs.find((codec) => !CODECS.includes(codec)) ?? null,
      };
    };
    const noted = found.key_value_metadata ?? [];
    return JSON.stringify({
      columns: columns.map(about), groups: groups.map((group) => Number(group.num_rows)),
      noted: Object.fromEntries(noted.map(({ key, value }) => [key, value])),
    });
  }

  // One column of one row group: its values' bytes, where each ends if they differ in length, gaps.
  function column(place, at) {
    const { child, ways, from, nested } = columns[place];
    const rows = Number(groups[at].num_rows);
    const read = ways.map((way, k) => decoded(groups[at].columns[from + k].meta_data, way, rows));
    const { type } = child.element;
    const found = nested ? whether(child, ways, read) : read[0];
    const given = nested || !ARRAYS[type] ? various(found, rows) : alike(found, rows, ARRAYS[type]);
    return given.map((array) => new Uint8Array(array.buffer));
  }

  function decoded(chunk, way, rows) {
    const start = Number(chunk.dictionary_page_offset || chunk.data_page_offset);
    const size = Number(chunk.total_compressed_size);
    const { type, type_length, repetition_type } = way.at(-1).element; // and not what it means
    return readColumn(
      { view: new DataView(bytes.buffer, bytes.byteOffset + start, size), offset: 0 },
      { groupStart: 0, selectStart: 0, selectEnd: rows },
      {
        type: chunk.type, codec: chunk.codec, pathInSchema: chunk.path_in_schema, schemaPath: way,
        element: { type, type_length, repetition_type }, compressors, parsers, utf8: false,
      },
    ).data;
  }

  const careful = (answer) => (...asked) => {
    try {
      return answer(...asked);
    } catch (error) {
      const odd = !/alloc/.test(error.message) && (error instanceof TypeError || error instanceof RangeError);
      return `failed: ${odd ? "its bytes are not what it says of them" : error.message}`;
    }
  };
  return { look: careful(look), column: careful(column) };
}

// Of lists and the like no more is asked than which are there.
function whether(child, ways, read) {
  const data = new Map(ways.map((way, k) => [way.at(-1).path.join("."), read[k].flat()]));
  assembleNested(data, child, parsers);
  const nothing = new Uint8Array();
  return [data.get(child.element.name).map((value) => (value == null ? null : nothing))];
}

// Calls `put` with each row and its value, or marks it as a gap.
function each(chunks, rows, put) {
  const gaps = new Uint8Array(rows);
  let row = 0;
  for (const chunk of chunks) {
    for (const value of chunk) {
      if (value === undefined) throw new Error(`row ${row + 1} of a row group has lost its value`);
      if (value === null) gaps[row] = 1;
      else put(row, value);
      row++;
    }
  }
  if (row !== rows) throw new Error(`${row} values for ${rows} rows`);
  return gaps;
}

function alike(chunks, rows, Values) {
  const values = new Values(rows);
  const gaps = each(chunks, rows, (row, value) => { values[row] = value; });
  return [values, new Uint8Array(), gaps];
}

function various(chunks, rows) {
  const ends = new Uint32Array(rows);
  let size = 0;
  for (const chunk of chunks) for (const value of chunk) size += value?.length ?? 0;
  const values = new Uint8Array(size);
  let end = 0;
  const gaps = each(chunks, rows, (row, value) => {
    values.set(value, end);
    ends[row] = end += value.length;
  });
  return [values, ends, gaps];
}
