"""PyBullet scenes behind the Arm and Scene protocols."""
