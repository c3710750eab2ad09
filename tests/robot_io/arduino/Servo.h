#pragma once
struct Servo {
  void attach(int) {}
  void detach() {}
  void writeMicroseconds(int) {}
};
