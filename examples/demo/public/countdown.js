const countdown = document.querySelector('[data-remaining]');
if (countdown) start(countdown);

function start(element) {
  // From this moment on by this computer's own clock: it needn't agree with the server's. Not by the page's
  // clock (performance.now), which may stand still while the computer sleeps.
  const end = Date.now() + Number(element.dataset.remaining);
  const timer = setInterval(tick, 250);
  tick();

  function tick() {
    const remaining = Math.max(0, end - Date.now());
    element.querySelector('.clock').textContent = minutes(remaining);
    element.querySelector('progress').value = remaining;
    if (remaining > 0) return;
    clearInterval(timer);
    element.querySelector('.expired').textContent = 'Expired. Reload the page and you start from zero.';
  }
}

function minutes(milliseconds) {
  const seconds = Math.ceil(milliseconds / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
