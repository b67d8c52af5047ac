// How large an image is, by its header alone: what others made may be small as a file and fill all of the memory
// as pixels. The browser decodes it only where it is of a size that our own small images are made of, too.

const SIDE_MAX = 30000; // pixels, as peer/image.h
const PIXELS_MAX = 100000000;
const HEAD_MAX = 4 << 20; // bytes that stand before the size in a JPEG: previews, colour profiles

const names = (view, at, text) => at + text.length <= view.byteLength && [...text].every((c, i) => view.getUint8(at + i) === c.charCodeAt(0));

function jpeg(view) {
	for (let at = 2; at + 9 <= view.byteLength && view.getUint8(at) === 0xff;) {
		const kind = view.getUint8(at + 1);
		if (kind === 0xff) at++;
		else if (kind >= 0xc0 && kind <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(kind)) return [view.getUint16(at + 7), view.getUint16(at + 5)];
		else at += 2 + view.getUint16(at + 2);
	}
	return null;
}

const three = (view, at) => view.getUint16(at, true) + (view.getUint8(at + 2) << 16);

function webp(view) {
	if (names(view, 12, 'VP8X')) return [three(view, 24) + 1, three(view, 27) + 1];
	if (names(view, 12, 'VP8 ')) return [view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff];
	if (!names(view, 12, 'VP8L')) return null;
	const bits = view.getUint32(21, true);
	return [(bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1];
}

// Width and height, or null: none of the three kinds, or broken.
export async function sizeOf(blob) {
	const view = new DataView(await blob.slice(0, HEAD_MAX).arrayBuffer());
	if (view.byteLength < 30) return null;
	if (names(view, 0, '\u0089PNG\r\n\u001a\n')) return [view.getUint32(16), view.getUint32(20)];
	if (names(view, 0, '\u00ff\u00d8\u00ff')) return jpeg(view);
	return names(view, 0, 'RIFF') && names(view, 8, 'WEBP') ? webp(view) : null;
}

export async function isShowable(blob) {
	const [width, height] = await sizeOf(blob) ?? [0, 0];
	return width > 0 && height > 0 && width <= SIDE_MAX && height <= SIDE_MAX && width * height <= PIXELS_MAX;
}
