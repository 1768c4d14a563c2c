// Runs before the first paint, so that a chosen theme never flashes in the other one. A file, not inline: a strict CSP allows it.
try {
  const theme = localStorage.getItem('tinysse.theme');
  if (theme) document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be blocked; then the system's theme it is.
}
