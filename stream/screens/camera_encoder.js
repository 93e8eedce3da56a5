// Makes JPEGs of pictures, beside the page: on its own thread a browser makes them when it is idle.

const QUALITY = 0.8;
const canvas = new OffscreenCanvas(1, 1);
const context = canvas.getContext("2d", { alpha: false });

addEventListener("message", async ({ data: { bitmap, takenMs } }) => {
  if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
  }
  context.drawImage(bitmap, 0, 0);
  const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY });
  const jpeg = await blob.arrayBuffer();
  postMessage({ jpeg, bitmap, takenMs }, [jpeg, bitmap]);
});
