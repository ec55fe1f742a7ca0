/** @module The little of SVG that the plots of the benchmarks need. */

const STYLE = `text { font: 12px ui-monospace, monospace; fill: #222 } .title { font-size: 14px; font-weight: bold } .note { fill: #666 }`;

export interface SvgSize {
  readonly width: number;
  readonly height: number;
}

/** A whole file; `parts` are drawn in their order. */
export function svgDocument({ width, height }: SvgSize, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<style>${STYLE}</style><rect width="100%" height="100%" fill="#fff"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}

export function svgText(
  x: number,
  y: number,
  text: string,
  { fill, ...attributes }: { readonly fill?: string; readonly class?: string; readonly anchor?: string } = {},
): string {
  const anchor = attributes.anchor === undefined ? '' : ` text-anchor="${attributes.anchor}"`;
  const named = attributes.class === undefined ? '' : ` class="${attributes.class}"`;
  const style = fill === undefined ? '' : ` style="fill:${fill}"`;
  return `<text x="${Math.round(x)}" y="${Math.round(y)}"${named}${anchor}${style}>${escaped(text)}</text>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
