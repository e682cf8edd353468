// Runs within a page: words whose colour is too close to what is behind them, by the measure of WCAG 2 (4.5 to 1).

export function faint() {
  const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
  const luminance = (colour) => {
    const [red, green, blue] = channels(colour).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const isClear = (colour) => channels(colour).length === 4 && channels(colour)[3] === 0;
  const behind = (element) => {
    // A text of a drawing stands in the box before it.
    const box = element.closest('svg g')?.querySelector('rect');
    if (box) return getComputedStyle(box).fill;
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (!isClear(colour)) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const words = [];
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (!text || element.tagName === 'title') continue;
    const style = getComputedStyle(element);
    const [front, back] = [element.closest('svg') ? style.fill : style.color, behind(element)].map(luminance);
    const contrast = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
    if (contrast < 4.5) words.push(`${contrast.toFixed(2)} ${text.slice(0, 40)}`);
  }
  return words;
}
