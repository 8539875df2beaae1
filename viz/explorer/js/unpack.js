// Arrays as text back into numbers: base64 of little-endian bytes, with the type as key ({"f4": "…"}).

const TYPES = { u1: Uint8Array, i4: Int32Array, f4: Float32Array, f8: Float64Array };

export function unpack(packed) {
  const [type, text] = Object.entries(packed)[0];
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = letters.charCodeAt(i);
  return new TYPES[type](bytes.buffer);
}

export const floats = (packed) => new Float64Array(unpack(packed));
