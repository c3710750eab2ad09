// Two soft notes when the arm asks. A browser lets a page sound only after a first gesture.
class Chime {
  constructor() {
    this.muted = localStorage.getItem("askback.muted") === "yes";
    this.onfirst = () => { this.audio = this.audio || new (window.AudioContext || window.webkitAudioContext)(); };
    for (const type of ["pointerdown", "keydown"]) window.addEventListener(type, this.onfirst, { once: true, capture: true });
  }

  toggle() {
    this.muted = !this.muted;
    localStorage.setItem("askback.muted", this.muted ? "yes" : "no");
  }

  ask() {
    if (this.muted || !this.audio || this.audio.state !== "running") return;
    [523.25, 659.25].forEach((pitch, n) => this.note(pitch, this.audio.currentTime + 0.14 * n));
  }

  note(pitch, at) {
    const tone = this.audio.createOscillator();
    const volume = this.audio.createGain();
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(0.06, at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0005, at + 0.35);
    tone.connect(volume).connect(this.audio.destination);
    tone.start(at);
    tone.stop(at + 0.4);
  }

  close() { if (this.audio) this.audio.close(); }
}
