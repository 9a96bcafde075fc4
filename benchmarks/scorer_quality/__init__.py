"""How good trained graph scorers are: order, calibration, and what an adversary makes of them."""
