// As much of an Arduino as the sketch needs, on this machine: time is told to it, the serial line is stdin and stdout.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <string>

inline unsigned long &now_ms() { static unsigned long now = 0; return now; }
inline unsigned long millis() { return now_ms(); }
inline char *ltoa(long value, char *text, int) { sprintf(text, "%ld", value); return text; }
template <class T, class L, class H> T constrain(T value, L low, H high) {
  return value < low ? (T)low : value > high ? (T)high : value;
}

struct SerialLine {
  std::deque<char> coming;
  void begin(unsigned long) {}
  int available() { return (int)coming.size(); }
  char read() { char c = coming.front(); coming.pop_front(); return c; }
  void write(const char *data, int count) { fwrite(data, 1, count, stdout); }
  void print(const char *text) { fputs(text, stdout); }
};
inline SerialLine Serial;
