const query = new URLSearchParams(location.search);

// A 4:3 projector gets taller slides instead of bars above and below.
function slideHeight() {
  return Math.min(960, Math.max(720, Math.round((1280 * innerHeight) / innerWidth)));
}

function fitScreen() {
  const height = slideHeight();
  document.documentElement.style.setProperty('--slide-height', `${height}px`);
  Reveal.configure({ height });
}

// Chromium widens a square root by the kerning that belongs to a cube root's small 3.
async function tightenRoots() {
  await document.fonts.load('100px "Deck Math"');
  const probe = document.createElement('div');
  probe.style.cssText = 'position: absolute; visibility: hidden; font-size: 100px';
  probe.innerHTML = '<math style="font-size: 100px"><msqrt><mn>1</mn></msqrt></math>';
  document.body.append(probe);
  const right = (name) => probe.querySelector(name).getBoundingClientRect().right;
  const excess = (right('msqrt') - right('mn')) / 100;
  probe.remove();
  if (excess > 0.1) document.documentElement.style.setProperty('--root-excess', `${-excess}em`);
}

function fits(section) {
  const boxes = [...section.querySelectorAll('.body, .column, .code, blockquote, td')];
  const drawings = [...section.querySelectorAll('figure > svg, figure > img')];
  return boxes.every((box) => box.scrollWidth <= box.clientWidth + 2 &&
      box.scrollHeight <= box.clientHeight + 2) &&
    drawings.every((drawing) => drawing.getBoundingClientRect().height >= 220);
}

// For authors: `?check` lays out all slides at once; the page's title names those that do not fit.
function checkLayout() {
  const sections = [...document.querySelectorAll('.slides > section')];
  for (const section of sections) {
    section.style.cssText = 'display: block; position: relative; width: 1280px';
  }
  const full = sections.flatMap((section, index) => (fits(section) ? [] : [index + 1]));
  document.title = `overflow: ${full.join(' ') || 'none'}`;
}

async function present() {
  await Reveal.initialize({
    width: 1280,
    height: slideHeight(),
    margin: 0,
    center: false,
    hash: true,
    controls: false,
    transition: 'none',
    backgroundTransition: 'none',
    // The notes window shows its pacing clock only when a default exists; every slide has its own.
    defaultTiming: 120,
    plugins: [RevealNotes],
  });
  fitScreen();
  addEventListener('resize', fitScreen);
}

tightenRoots();
if (query.has('check')) addEventListener('load', checkLayout);
// Paper needs no player. One class lays it out before the page has loaded: a browser on a busy
// machine prints when it has loaded, whether or not a script is still at work. Reveal's own paper
// styles, large black text without slides, leave a page of this class alone.
else if (query.has('print-pdf')) document.documentElement.classList.add('print-pdf');
else present();
