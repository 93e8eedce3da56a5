// Files in one, not made smaller (PKWARE's APPNOTE 6.3): films are as small as they get.

const MAX_BYTES = 2 ** 32 - 2 ** 20; // what the format can count, and a little for its tables
const READ_BYTES = 2 ** 22;
const UTF_8 = 0x0800;
const CRCS = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  return crc;
});

/** Returns the files, [name, blob] each, as one blob; null where they are too large for one. */
export async function zipped(files) {
  if (files.reduce((sum, [, blob]) => sum + blob.size, 0) > MAX_BYTES) return null;
  const now = new Date();
  const date = ((now.getFullYear() - 1980) << 9) | ((now.getMonth() + 1) << 5) | now.getDate();
  const time = (now.getHours() << 11) | (now.getMinutes() << 5) | (now.getSeconds() >> 1);
  const [parts, table] = [[], []];
  let offset = 0;
  for (const [name, blob] of files) {
    const called = new TextEncoder().encode(name);
    const told = [[2, 20], [2, UTF_8], [2, 0], [2, time], [2, date], [4, await crcOf(blob)], [4, blob.size], [4, blob.size], [2, called.length], [2, 0]];
    const head = packed([[4, 0x04034b50], ...told]);
    parts.push(head, called, blob);
    table.push(packed([[4, 0x02014b50], [2, 20], ...told, [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]]), called);
    offset += head.length + called.length + blob.size;
  }
  const tableSize = table.reduce((sum, { length }) => sum + length, 0);
  const end = [[4, 0x06054b50], [2, 0], [2, 0], [2, files.length], [2, files.length], [4, tableSize], [4, offset], [2, 0]];
  return new Blob([...parts, ...table, packed(end)], { type: "application/zip" });
}

async function crcOf(blob) {
  let crc = ~0;
  for (let begin = 0; begin < blob.size; begin += READ_BYTES) {
    for (const byte of new Uint8Array(await blob.slice(begin, begin + READ_BYTES).arrayBuffer())) {
      crc = CRCS[(crc ^ byte) & 255] ^ (crc >>> 8);
    }
  }
  return ~crc >>> 0;
}

function packed(numbers) {
  const view = new DataView(new ArrayBuffer(numbers.reduce((sum, [size]) => sum + size, 0)));
  let at = 0;
  for (const [size, number] of numbers) {
    if (size === 4) view.setUint32(at, number, true);
    else view.setUint16(at, number, true);
    at += size;
  }
  return new Uint8Array(view.buffer);
}
