// The chat whose input had the cursor last; this module is loaded once per page load.
let focused = null;

export default function ({ data }) {
  // a touch screen would open its keyboard over the page
  if (data.session === focused || !window.matchMedia("(pointer: fine)").matches) return;
  let tries = 0;
  const look = () => {
    const input = document.querySelector('[data-testid="stChatInputTextArea"]');
    if (input === null) {
      if (tries++ < 40) window.setTimeout(look, 50);
      return;
    }
    focused = data.session;
    const active = document.activeElement;
    const typing = active && active !== input && /^(INPUT|TEXTAREA|SELECT)$/.test(active.tagName);
    if (!typing) input.focus({ preventScroll: true });
  };
  look();
}
