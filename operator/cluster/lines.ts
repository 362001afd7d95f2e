/**
 * Splits a stream of bytes at line ends. By hand, because Node's `readline` raises the failure of its input a second
 * time, as an uncaught 'error', once the reader has gone.
 */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const text = decoder.decode(chunk, { stream: true });
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      const line = rest + text.slice(start, end);
      rest = '';
      start = end + 1;
      if (line.trim() !== '') yield line;
    }
    rest += text.slice(start);
  }
  // What is left has no line end: the connection was cut in the middle of a line, and whoever reads starts anew.
}
