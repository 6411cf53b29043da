/** Uploads files, and knows which URLs are of this service: nothing else is loaded without a click. */

/** @type {string} */
let ownBase = "";

/** @param {string} apiUrl */
export const setMediaBase = (apiUrl) => (ownBase = `${apiUrl.replace(/\/+$/, "")}/api/v1/media/`);

/** A picture of somebody else's server would tell it who reads what, when and where. @param {unknown} url @returns {string | null} */
export const ownMedia = (url) => (typeof url === "string" && url.startsWith(ownBase) ? url : null);

/** Uploads a file and gives the message that points at it. @param {import("../gochat/client.js").Client} client @param {File} file */
export async function upload(client, file) {
  const mime = file.type || "application/octet-stream";
  const { upload_url, headers, url } = await client.write("POST", "/media", { mime, size: file.size });
  const { "content-length": _, ...settable } = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const answer = await fetch(upload_url, { method: "PUT", headers: settable, body: file, credentials: "omit" });
  if (!answer.ok) throw new Error(`The file could not be uploaded (${answer.status}).`);
  const kind = ["image", "audio", "video"].find((one) => mime.startsWith(`${one}/`)) ?? "file";
  const content = { url, mime, size: file.size, name: file.name.slice(0, 255), ...(kind === "image" ? await sizeOfPicture(file) : {}) };
  return { type: kind, content };
}

/** @param {File} file */
async function sizeOfPicture(file) {
  try {
    const { width, height } = await createImageBitmap(file);
    return { width, height };
  } catch {
    return {}; // a picture that this browser can't read, another one may
  }
}
